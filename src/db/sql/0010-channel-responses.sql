-- Not every provider with OpenAI's chat completions has its responses.

ALTER TABLE channel
	ADD COLUMN translates_responses boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN channel.translates_responses IS 'Whether the provider has no /v1/responses, so that its clients are served by chat completions. Operator: controller.';
