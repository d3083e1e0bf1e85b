#include "tests/unit/unit.h"
#include "tests/model/brain.h"
START_TEST(x)
{
	struct arena arena={0};
	struct message m[]={{ROLE_USER,SLICE("I'm using ChromaDB for the vector store.")},{ROLE_USER,SLICE("Can you remind me what vector store I said I was using?")}};
	unit_assert_slice(brain_answer(m,2,&arena),"You said: \"I'm using ChromaDB for the vector store.\"");
	arena_finish(&arena);
}
END_TEST
UNIT_MAIN("demo_model",x)
