/* config-reference: prints conf/man/keys.md, from which recalld.conf(5) takes the values of each
 * key. */
#include "proxy/config/config.h"

#include <stdlib.h>

int main(void)
{
	config_print_reference(stdout);
	return EXIT_SUCCESS;
}
