# Makes C of SQL: awk -f embed.awk sql/roles.sql sql/0001-….sql sql/0002-….sql …
function base(path) {
	sub(/^.*\//, "", path)
	sub(/\.sql$/, "", path)
	return path
}
function finish() {
	if (name == "roles")
		print ";"
	else if (name != "")
		print "\t},"
}
FNR == 1 {
	finish()
	name = base(FILENAME)
	if (name == "roles") {
		print "/* Made by embed.awk; don't edit. */"
		print "#include \"db/internal.h\"\n"
		print "const char db_embedded_roles[] ="
	} else {
		if (!count++)
			print "\nconst struct db_migration db_migrations[] = {"
		version = substr(name, 1, 4) + 0
		printf "\t{ %d, \"%s\",\n", version, name
	}
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	printf "\t\"%s\\n\"\n", $0
}
END {
	finish()
	print "};"
	printf "const int db_migration_count = %d;\n", count
}
