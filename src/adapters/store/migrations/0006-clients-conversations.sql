-- Conversations that clients send themselves, and answers that are more than text.

-- The virtual model that was asked for; rules and what-if look at it.
alter table requests add column model text;

-- call: the client's conversation with what it wants of the answer. Kept while the request is open: the client has it,
-- and sends it again with every turn. parts: what an answer holds beside its text.
alter table turns add column call jsonb;
alter table turns add column parts jsonb;

-- What is large in old answers is looked for from time to time.
create index turns_with_bulk on turns (created_at) where parts ?| array['embeddings', 'logprobs'];
