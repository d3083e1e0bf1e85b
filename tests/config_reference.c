/* config-reference: prints the configuration reference that README.md holds. */
#include "proxy/config/config.h"

#include <stdlib.h>

int main(void)
{
	config_print_reference(stdout);
	return EXIT_SUCCESS;
}
