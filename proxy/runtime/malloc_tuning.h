/* What the process keeps of the memory that it has freed. */
#ifndef RECALLD_PROXY_RUNTIME_MALLOC_TUNING_H
#define RECALLD_PROXY_RUNTIME_MALLOC_TUNING_H

/* Before any thread begins: larger things are mapped alone, and go back when they are freed. */
void malloc_set_up(void);
/* Gives free memory back to the system when there is much. Any thread; holds up malloc meanwhile,
 * so not often. */
void malloc_give_back(void);

#endif
