-- Settings of the warehouse's roles. Run by the server's administrator at every start.
alter role mdp_owner set timezone = 'UTC';
alter role mdp_loader set timezone = 'UTC';
alter role mdp_loader set idle_in_transaction_session_timeout = '10min';
-- The reading role: only `mart` (by grants), read-only, no query longer than 15 seconds, and few connections. The role
-- can change these settings: `limits/watch.sql` enforces them.
alter role mdp_bi connection limit 20;
alter role mdp_bi reset all;
alter role mdp_bi set timezone = 'UTC';
alter role mdp_bi set search_path = mart;
alter role mdp_bi set default_transaction_read_only = on;
alter role mdp_bi set statement_timeout = '15s';
alter role mdp_bi set idle_in_transaction_session_timeout = '15s';
