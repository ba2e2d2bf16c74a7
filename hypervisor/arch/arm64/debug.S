/* debug_register_write(i, value): DBGBVR<n>, DBGBCR<n>, DBGWVR<n> and DBGWCR<n>_EL1 are i = 4n to 4n + 3. Only those that this CPU has. */
	.text
	.global debug_register_write
debug_register_write:
	adr	x2, 1f
	add	x2, x2, w0, uxtw #3
	br	x2
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.irp	kind, 4, 5, 6, 7
	msr	S2_0_C0_C\n\()_\kind, x1
	ret
	.endr
	.endr
