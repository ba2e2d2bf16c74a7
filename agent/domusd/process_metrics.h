#ifndef DOMUS_DOMUSD_PROCESS_METRICS_H
#define DOMUS_DOMUSD_PROCESS_METRICS_H

/* Registers what the process itself can tell: memory, descriptors, start, build, operations, events, keeper. */
void process_metrics_register(void);

#endif
