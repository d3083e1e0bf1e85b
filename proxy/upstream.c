#include "proxy/upstream.h"
