#include "core/context.h"
