#compdef youyunctl
# Completion of youyunctl for zsh; youyunctl itself knows what fits.
local -a found
found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
found=(${found:#})
if (( ${#found} )); then
	compadd -a found
else
	_files
fi
