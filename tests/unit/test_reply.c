#include "core/reply.h"
#include "tests/unit/unit.h"
START_TEST(x)
{
}
END_TEST
UNIT_MAIN("reply", x)
