#include "proxy/config.h"
