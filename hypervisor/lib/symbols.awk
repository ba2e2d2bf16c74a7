# nm -n output -> a table of the text symbols for backtraces: {offset from the image's start, name offset}, then the names.
function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
BEGIN { print "\t.section .symbols,\"a\"\n\t.balign 4\n\t.global symbols_begin\nsymbols_begin:" }
$3 == "image_begin" { base = substr($1, 9) }
($2 == "t" || $2 == "T") && $3 !~ /^\$/ && base != "" {
	printf "\t.long %d, name%d - symbols_begin\n", hex(substr($1, 9)) - hex(base), n
	names = names sprintf("name%d:\t.asciz \"%s\"\n", n++, $3)
}
END { print "\t.global symbols_end\nsymbols_end:\n" names }
