# Makes C of the API's document: awk -f embed.awk openapi.json
BEGIN {
	print "/* Made by embed.awk; don't edit. */"
	print "#include \"portal/openapi.h\"\n"
	print "const char portal_openapi[] ="
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	gsub(/\t/, "")
	printf "\t\"%s\\n\"\n", $0
}
END {
	print ";"
}
