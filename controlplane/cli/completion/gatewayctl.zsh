#compdef gatewayctl
# Completion of gatewayctl for zsh. Load it with
#   source <(gatewayctl completion zsh)
# after compinit, or keep the output as _gatewayctl in a folder of $fpath.

_gatewayctl() {
  local -a found open full
  found=("${(@f)$(${words[1]} "${(@)words[2,CURRENT]}" --generate-bash-completion 2>/dev/null)}")
  found=(${found:#})
  if (( ! ${#found} )); then
    _files
    return
  fi
  # No blank after "endpoint=", where the weight follows.
  open=(${(M)found:#*=})
  full=(${found:#*=})
  (( ${#open} )) && compadd -S '' -- $open
  (( ${#full} )) && compadd -- $full
}

if [[ $funcstack[1] == _gatewayctl ]]; then
  _gatewayctl "$@"
else
  compdef _gatewayctl gatewayctl
fi
