# nm -n output -> a table of the text symbols for backtraces: for each the distance from the one before (the first: from the image's
# start) in instructions; behind all of them the names, in the same order. libfdt, which only runs at boot, is one name.
function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
BEGIN { print "\t.section .symbols,\"a\"\n\t.balign 2\n\t.global symbols_begin\nsymbols_begin:" }
$3 == "image_begin" { last = hex(substr($1, 9)); known = 1 }
($2 == "t" || $2 == "T") && $3 !~ /^\$/ && known {
	sub(/\..*/, "", $3) # the compiler's .part.0 and the like
	name = $3 ~ /^fdt_/ ? "libfdt" : $3
	if (name == "libfdt" && before == name)
		next
	before = name
	at = hex(substr($1, 9))
	printf "\t.short %d\n", (at - last) / 4
	last = at
	names = names sprintf("\t.asciz \"%s\"\n", name)
}
END { print "\t.global symbols_end\nsymbols_end:\n" names }
