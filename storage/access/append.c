/* store_append(): journals an exchange. Copies its caller's data, because the writer runs on its
 * own thread. */
#include "storage/access/append.h"

#include "storage/lmdb/writer.h"

struct append_operation {
	struct operation operation;
	struct user_key user;
	struct append append;
	struct frozen frozen;
	struct replay replay;
	struct chain_link link;
};

static enum store_result run_append(struct operation *operation, const struct memory *memory)
{
	struct append_operation *own = (struct append_operation *)operation;
	return append_exchange(memory, &own->append);
}

static void copy_history(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	size_t count = own->append.history_count;
	struct imported_turn *copies =
		operation_copy(operation, own->append.history, count * sizeof(*copies));
	for (size_t i = 0; i < count; i++)
		copies[i].text = operation_slice(operation, copies[i].text);
	own->append.history = copies;
}

static void copy_frozen(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->frozen = *own->append.frozen;
	own->frozen.block = operation_slice(operation, own->frozen.block);
	own->frozen.turns = operation_slice(operation, own->frozen.turns);
	own->frozen.chat_turns = operation_slice(operation, own->frozen.chat_turns);
	own->frozen.receipt_items = operation_slice(operation, own->frozen.receipt_items);
	own->frozen.facts = operation_copy(operation, own->frozen.facts,
					   own->frozen.fact_count * sizeof(*own->frozen.facts));
	own->frozen.given = operation_copy(operation, own->frozen.given,
					   own->frozen.given_count * sizeof(*own->frozen.given));
	own->append.frozen = &own->frozen;
}

static void copy_replay(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->replay = *own->append.replay;
	own->replay.text = operation_slice(operation, own->replay.text);
	own->replay.receipt_items = operation_slice(operation, own->replay.receipt_items);
	own->replay.turns = operation_copy(operation, own->replay.turns,
					   own->replay.turn_count * sizeof(*own->replay.turns));
	own->replay.facts = operation_copy(operation, own->replay.facts,
					   own->replay.fact_count * sizeof(*own->replay.facts));
	own->append.replay = &own->replay;
}

static void copy_link(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->link = *own->append.link;
	own->link.user_text = operation_slice(operation, own->link.user_text);
	own->link.provider_conversation =
		operation_slice(operation, own->link.provider_conversation);
	own->link.turns = operation_copy(operation, own->link.turns,
					 own->link.turn_count * sizeof(*own->link.turns));
	own->link.facts = operation_copy(operation, own->link.facts,
					 own->link.fact_count * sizeof(*own->link.facts));
	own->append.link = &own->link;
	for (size_t i = 0; i < sizeof(own->append.link_ids) / sizeof(own->append.link_ids[0]); i++)
		own->append.link_ids[i] = operation_slice(operation, own->append.link_ids[i]);
}

struct store_call *store_append(struct store *store, const struct append *append,
				struct store_loop *loop, store_done *callback, void *cookie)
{
	struct append_operation *own = operation_create(sizeof(*own), run_append);
	struct operation *operation = &own->operation;
	operation->grows = !append->promised;
	operation->promised = append->promised;
	own->user = store_user_key(append->tenant, append->user);
	own->append = *append;
	own->append.tenant = operation_slice(operation, append->tenant);
	own->append.user = operation_slice(operation, append->user);
	own->append.session = operation_slice(operation, append->session);
	own->append.user_text = operation_slice(operation, append->user_text);
	own->append.answer_text = operation_slice(operation, append->answer_text);
	own->append.model = operation_slice(operation, append->model);
	own->append.receipt = operation_receipt(operation, &append->receipt);
	if (append->history_count > 0)
		copy_history(own);
	if (append->frozen != NULL)
		copy_frozen(own);
	if (append->replay != NULL)
		copy_replay(own);
	if (append->link != NULL)
		copy_link(own);
	own->append.kept =
		operation_copy(operation, append->kept, append->kept_count * sizeof(*append->kept));
	own->append.carried = operation_copy(operation, append->carried,
					     append->carried_count * sizeof(*append->carried));
	return writer_submit(store->writer, operation, &own->user, loop, callback, cookie);
}
