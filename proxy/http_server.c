#include "proxy/http_server.h"
