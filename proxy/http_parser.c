#include "proxy/http_parser.h"
