-- Functions that a reader does not need and can do harm with. PostgreSQL lets every role call them. Run by a superuser
-- in the warehouse, at every start.
do $$
declare
    called record;
begin
    for called in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace
          and has_function_privilege('public', p.oid, 'execute')
          and (
            -- they run SQL that is passed as text, or read whole schemas
            p.proname in ('ts_stat', 'ts_rewrite')
            or p.proname ~ '^(query|cursor|table|schema|database)_to_xml'
            -- they hold up others: locks, connections, messages, queries of the same role
            or p.proname ~ '^pg_(try_)?advisory_'
            or p.proname ~ '^pg_sleep'
            or p.proname in ('pg_notify', 'pg_cancel_backend', 'pg_terminate_backend')
            -- they write, or lift a limit
            or p.proname in ('set_config', 'pg_logical_emit_message', 'pg_export_snapshot', 'lowrite', 'loread')
            or p.proname ~ '^lo_'
            or p.proname in ('txid_current', 'pg_current_xact_id')
          )
    loop
        execute format('revoke execute on function %s from public', called.signature);
        execute format('grant execute on function %s to mdp_owner, mdp_loader', called.signature);
    end loop;
    -- A code block can do anything in a loop.
    revoke usage on language plpgsql from public;
    grant usage on language plpgsql to mdp_owner, mdp_loader;
    -- MinIO writes the inbox, whose trigger notifies.
    if exists (select from pg_roles where rolname = 'mdp_events') then
        grant execute on function pg_notify(text, text) to mdp_events;
    end if;
end
$$;
