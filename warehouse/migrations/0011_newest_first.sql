-- For lists of files, newest first: the page "Files" and `./mdp files`.
create index files_newest on mdp.files (arrived_at desc, file_id desc);
