#include "core/client_forms.h"
