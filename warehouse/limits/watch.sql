-- The watch over the reading role. A role can change its own settings and its own password, and PostgreSQL has no way
-- to forbid it: so the pipeline calls this function every few seconds. Run by a superuser in the warehouse, at every
-- start.
create table if not exists mdp.readers (
    role     text collate "C" primary key,
    verifier text not null,
    settings text[] not null
);
comment on table mdp.readers is 'Password and settings that the reading role must have; only the administrator reads it';

create or replace function mdp.limit_readers() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kept   mdp.readers;
    place  record;
    item   text;
    ended  integer;
begin
    select count(*) filter (where pg_terminate_backend(a.pid)) into ended
    from pg_stat_activity a
    join mdp.readers r on r.role = a.usename
    where a.state = 'active' and a.query_start < clock_timestamp() - interval '20 seconds'
       or a.state like 'idle in transaction%' and a.state_change < clock_timestamp() - interval '20 seconds'
       or a.xact_start < clock_timestamp() - interval '60 seconds';
    for kept in
        select r.* from mdp.readers r join pg_authid a on a.rolname = r.role
        where a.rolpassword is distinct from r.verifier
    loop
        execute format('alter role %I password %L', kept.role, kept.verifier);
    end loop;
    for kept in
        select r.* from mdp.readers r join pg_roles a on a.rolname = r.role
        where array[r.settings::text] is distinct from
            (select array_agg(s.setconfig::text) from pg_db_role_setting s where s.setrole = a.oid)
    loop
        for place in
            select d.datname from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
            where s.setrole = kept.role::regrole
        loop
            execute format('alter role %I in database %I reset all', kept.role, place.datname);
        end loop;
        execute format('alter role %I reset all', kept.role);
        foreach item in array kept.settings loop
            execute format('alter role %I set %I = %L', kept.role, split_part(item, '=', 1),
                           substr(item, strpos(item, '=') + 1));
        end loop;
    end loop;
    return ended;
end
$$;
comment on function mdp.limit_readers() is
    'Ends sessions of the reading role that exceed its limits, and undoes changes of its settings and its password';
revoke execute on function mdp.limit_readers() from public;
grant execute on function mdp.limit_readers() to mdp_loader;

-- Until the caller has recorded password and settings: a running watch would put back older ones in between.
lock table mdp.readers in access exclusive mode;
