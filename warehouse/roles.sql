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
-- The owner sees the queries of others, to name the session that is in the way of a change. Some managed servers do not
-- let their administrator grant this: then the name of the session has to do.
do $$
begin
    grant pg_read_all_stats to mdp_owner;
exception when insufficient_privilege then
    null;
end
$$;
