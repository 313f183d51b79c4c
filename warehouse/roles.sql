-- Roles and their databases. Run once by the server's administrator, again without harm.
-- {placeholders} are quoted by the caller; a role without a password cannot log in.
do $$
begin
    if not exists (select from pg_roles where rolname = 'mdp_owner') then create role mdp_owner login; end if;
    if not exists (select from pg_roles where rolname = 'mdp_loader') then create role mdp_loader login; end if;
    if not exists (select from pg_roles where rolname = 'mdp_bi') then create role mdp_bi login; end if;
end
$$;
alter role mdp_owner password {owner_password};
alter role mdp_loader password {loader_password};
alter role mdp_bi password {bi_password};
alter role mdp_owner set timezone = 'UTC';
alter role mdp_loader set timezone = 'UTC';
alter role mdp_loader set idle_in_transaction_session_timeout = '10min';
-- The reading role: only `mart` (by grants), read-only, and no query longer than 15 seconds.
alter role mdp_bi set timezone = 'UTC';
alter role mdp_bi set search_path = mart;
alter role mdp_bi set default_transaction_read_only = on;
alter role mdp_bi set statement_timeout = '15s';
