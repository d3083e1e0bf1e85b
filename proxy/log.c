#include "proxy/log.h"
