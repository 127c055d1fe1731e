# Completion of gatewayctl for bash. Load it with
#   source <(gatewayctl completion bash)
# or keep the output in /etc/bash_completion.d/gatewayctl.

_gatewayctl() {
  local typed word broken found i
  local -a words
  COMPREPLY=()

  # bash splits words at : and = too. gatewayctl needs them in one piece, so the line
  # is split at blanks here; a line that ends in a blank starts a new word.
  typed=${COMP_LINE:0:COMP_POINT}
  read -ra words <<<"$typed"
  [[ $typed == *[[:space:]] ]] && words+=("")
  ((${#words[@]} > 1)) || return 0
  word=${words[-1]}

  while read -r found; do
    [[ $found == "$word"* ]] && COMPREPLY+=("$found")
  done < <("${words[0]}" "${words[@]:1}" --generate-bash-completion 2>/dev/null)

  # What bash will replace is only the part after the last : or =.
  broken=${word%"${word##*[:=]}"}
  if [[ -n $broken ]]; then
    for i in "${!COMPREPLY[@]}"; do
      COMPREPLY[i]=${COMPREPLY[i]#"$broken"}
    done
  fi

  # No blank after "endpoint=", where the weight follows.
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}

complete -o default -F _gatewayctl gatewayctl
