#include "core/model_request.h"
