# nm -n output -> a table of the text symbols for backtraces. First the names, three characters of 5 bits in a word, bit 15 set in the
# last word of each: 1 to 26 are letters, 27 is _, 28 to 31 the digits 0 to 3 (what else there is becomes _). Behind them, in the same
# order, the distance of each from the one before (the first: from the image's start) in instructions, 7 bits a byte, the high ones
# first, bit 7 set but in the last. libfdt, which only runs at boot, is one name. arch/arm64/fault.c reads it.
function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
function code(s, i,  c) { c = index("abcdefghijklmnopqrstuvwxyz_0123", tolower(substr(s, i, 1))); return i > length(s) ? 0 : c ? c : 27 }
function pack(s,  i, w) {
	for (i = 1; i <= length(s); i += 3) {
		w = code(s, i) + 32 * code(s, i + 1) + 1024 * code(s, i + 2)
		printf "\t.short %d\n", (i + 3 > length(s) ? w + 32768 : w)
	}
}
BEGIN { print "\t.section .symbols,\"a\"\n\t.balign 2\n\t.global symbols_begin\nsymbols_begin:" }
$3 == "image_begin" { last = hex(substr($1, 9)); known = 1 }
($2 == "t" || $2 == "T") && $3 !~ /^\$/ && known {
	sub(/\..*/, "", $3) # the compiler's .part.0 and the like
	name = $3 ~ /^fdt_/ ? "libfdt" : $3
	if (name == "libfdt" && before == name)
		next
	before = name
	at = hex(substr($1, 9))
	distance = (at - last) / 4
	last = at
	pack(name)
	for (bytes = distance % 128; distance >= 128; bytes = 128 + distance % 128 ", " bytes)
		distance = int(distance / 128)
	distances = distances "\t.byte " bytes "\n"
}
END { print "\t.global symbols_distances\nsymbols_distances:\n" distances "\t.global symbols_end\nsymbols_end:" }
