/* The processor of the host tests: one at a time, whichever fake_cpu says; a counter that only moves when it is read. */
struct cpu *fake_cpu __attribute__((weak));
uint64_t fake_counter __attribute__((weak));
uint64_t cpu_locks __attribute__((weak));

static inline void cpu_relax(void)
{
}
static inline struct cpu *cpu_this(void)
{
	return fake_cpu;
}
static inline uint64_t cpu_counter(void)
{
	return ++fake_counter;
}
static inline uint64_t cpu_counter_frequency(void)
{
	return 62500000;
}
static inline void cpu_barrier_full(void)
{
	__sync_synchronize();
}
static inline void cpu_barrier_store(void)
{
	__sync_synchronize();
}
static inline void cpu_barrier_device(void)
{
	__sync_synchronize();
}
static inline void cpu_wait(void)
{
}
extern bool fake_interrupt __attribute__((weak)); /* an interrupt waits while the hypervisor runs */
static inline bool cpu_interrupt_pending(void)
{
	return &fake_interrupt && fake_interrupt;
}
extern bool fake_masked __attribute__((weak)); /* the guest has its interrupts masked */
static inline bool cpu_guest_masked(void)
{
	return &fake_masked && fake_masked;
}
