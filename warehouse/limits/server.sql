-- What the reading role may use of the server. Run by a superuser in the database `postgres`, at every start.
revoke connect, temporary on database postgres, template1 from public;
alter role mdp_bi set temp_file_limit = '1GB';
-- The last connections of the server are for the pipeline.
grant pg_use_reserved_connections to mdp_owner, mdp_loader;
