# Completion of gatewayctl for fish. Load it with
#   gatewayctl completion fish | source
# or keep the output as ~/.config/fish/completions/gatewayctl.fish.

function __gatewayctl_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] $words[2..] --generate-bash-completion 2>/dev/null
end

complete -c gatewayctl -f -a '(__gatewayctl_complete)'
complete -c gatewayctl -F -n 'string match -qr -- "^--?(models|routing|ca|dir)\$|^import\$" (commandline -opc)[-1]'
