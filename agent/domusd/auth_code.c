#include "domusd/auth_code.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domusd/file.h"

#define DIGITS 12
#define NAME   "claim-code"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void write_groups(const char digits[DIGITS], char code[AUTH_CODE_SIZE])
{
	snprintf(code, AUTH_CODE_SIZE, "%.4s-%.4s-%.4s", digits, digits + 4, digits + 8);
}

void auth_code_make(char code[AUTH_CODE_SIZE])
{
	unsigned char random[DIGITS];
	char digits[DIGITS];

	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	for (int i = 0; i < DIGITS; i++)
		digits[i] = alphabet[random[i] & 31];
	write_groups(digits, code);
	OPENSSL_cleanse(random, sizeof(random));
}

bool auth_code_normalise(const char *typed, char code[AUTH_CODE_SIZE])
{
	char digits[DIGITS];
	int n = 0;

	for (; *typed; typed++) {
		char c = (char)toupper((unsigned char)*typed);

		if (c == '-' || c == ' ')
			continue;
		c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
		if (n == DIGITS || !strchr(alphabet, c))
			return false;
		digits[n++] = c;
	}
	if (n != DIGITS)
		return false;
	write_groups(digits, code);
	return true;
}

int auth_code_load(int state_fd, char code[AUTH_CODE_SIZE], struct error *e)
{
	size_t size = 0;
	char *text = file_read(state_fd, NAME, 64, &size, NULL);
	bool good;

	if (text)
		text[strcspn(text, "\n")] = '\0';
	good = text && auth_code_normalise(text, code);
	free(text);
	if (good)
		return 0;
	auth_code_make(code);
	return file_write(state_fd, NAME, 0600, code, strlen(code), e);
}

void auth_code_remove(int state_fd)
{
	unlinkat(state_fd, NAME, 0);
}
