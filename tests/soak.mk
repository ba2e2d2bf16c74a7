# More of the long runs of lab.mk. Named on the command line, SOAK is what it says there.
ifeq ($(origin SOAK),file)
SOAK += hypercalls smp pv
endif
