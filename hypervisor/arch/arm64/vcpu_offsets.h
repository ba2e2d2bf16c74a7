/* Offsets in struct vcpu_state for vcpu_fp.S; vcpu_state.c asserts them. */
#define VCPU_FPCR 488
#define VCPU_V	  512
