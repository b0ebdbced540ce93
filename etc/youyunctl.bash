# Completion of youyunctl for bash; youyunctl itself knows what fits.
_youyunctl()
{
	local line

	COMPREPLY=()
	while IFS= read -r line; do
		COMPREPLY+=("$(printf '%q' "$line")")
	done < <("${COMP_WORDS[0]}" complete -- \
	    "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _youyunctl youyunctl
