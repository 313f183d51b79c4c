-- Records the password and the settings of the reading role, which `mdp.limit_readers()` restores.
insert into mdp.readers
select a.rolname, a.rolpassword, s.setconfig
from pg_authid a
join pg_db_role_setting s on s.setrole = a.oid and s.setdatabase = 0
where a.rolname = 'mdp_bi'
on conflict (role) do update set verifier = excluded.verifier, settings = excluded.settings;
