-- What the crew proposal_review said of a draft: kept with the proposal, as those who vote are to read it.
alter table proposals add column review jsonb;
