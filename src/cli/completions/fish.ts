/** For fish from 3.0 on, which shows the descriptions by itself. */
export const fishScript = `# Completions of petit for fish.
# To have them in every shell:
#   mkdir -p ~/.config/fish/completions
#   petit completions fish > ~/.config/fish/completions/petit.fish

function __petit_complete
    set -l typed (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program (string replace --regex '^~/' "$HOME/" -- $typed[1])
    for line in ($program __complete $typed[2..-1] ":$current" 2>/dev/null)
        if test "$line" = :file
            set -l option (string match --regex '^--[^=]+=' -- $current)
            for file in (__fish_complete_path (string replace -- "$option" '' "$current"))
                echo "$option$file"
            end
        else
            echo $line
        end
    end
end

complete --command petit --no-files --arguments '(__petit_complete)'
complete --command petit.exe --no-files --arguments '(__petit_complete)'
`;
