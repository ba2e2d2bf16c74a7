#ifndef DOMUS_DOMUSD_OPTIONS_H
#define DOMUS_DOMUSD_OPTIONS_H

#include "domusd/domusd.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_PRINT_ROUTES,
	OPTIONS_VERSION,
	OPTIONS_HELP,
	OPTIONS_WRONG
};

/* Reads the command line; strings are borrowed from argv. OPTIONS_WRONG has said on stderr what is wrong. */
enum options_action options_parse(int argc, char **argv, struct domusd_options *options);
void options_usage(void);

#endif
