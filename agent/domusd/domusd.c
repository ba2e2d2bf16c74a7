#include "domusd/domusd.h"

struct domusd domusd = {.state_fd = -1};
