#include "core/conversation.h"
