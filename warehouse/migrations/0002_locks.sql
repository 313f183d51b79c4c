-- One row per dataset: a load locks it. Readers cannot, as they could an advisory lock.
create table mdp.locks (
    dataset text collate "C" primary key
);
comment on table mdp.locks is 'A load of a dataset locks its row from the merge to the commit';
grant select, insert, update on mdp.locks to mdp_loader;
