#include "core/secrets.h"
