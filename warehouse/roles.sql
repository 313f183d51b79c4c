-- Settings of the warehouse's roles. Run by the server's administrator at every start.
alter role mdp_owner set timezone = 'UTC';
alter role mdp_loader set timezone = 'UTC';
alter role mdp_loader set idle_in_transaction_session_timeout = '10min';
-- The reading role: only `mart` (by grants), read-only, and no query longer than 15 seconds.
alter role mdp_bi set timezone = 'UTC';
alter role mdp_bi set search_path = mart;
alter role mdp_bi set default_transaction_read_only = on;
alter role mdp_bi set statement_timeout = '15s';
