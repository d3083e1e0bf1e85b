#include "proxy/metrics.h"
