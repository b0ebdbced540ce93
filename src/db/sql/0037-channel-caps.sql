-- How many tokens may go through a channel, and what its calls may cost.

ALTER TABLE channel
	ADD COLUMN max_tokens_per_minute bigint NOT NULL DEFAULT 0
	    CHECK (max_tokens_per_minute BETWEEN 0 AND 1000000000000),
	ADD COLUMN max_day_nano bigint NOT NULL DEFAULT 0
	    CHECK (max_day_nano >= 0),
	ADD COLUMN max_month_nano bigint NOT NULL DEFAULT 0
	    CHECK (max_month_nano >= 0);
COMMENT ON COLUMN channel.max_tokens_per_minute IS 'Tokens a minute, of input and output; 0: no limit. Operator: controller.';
COMMENT ON COLUMN channel.max_day_nano IS 'What customers may be charged for its calls of one day (UTC); 0: no limit. Operator: controller.';
COMMENT ON COLUMN channel.max_month_nano IS 'Likewise of one calendar month. Operator: controller.';
