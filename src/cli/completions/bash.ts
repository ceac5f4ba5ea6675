/**
 * For bash from 3.2 on, with or without the package bash-completion. `$1` is the command as it was typed, a name or a path; `$2` is the word at the
 * cursor. What was typed is handed over as it is and never evaluated. Where bash lists what there is (COMP_TYPE 63) it inserts nothing,
 * so descriptions can stand beside the values.
 */
export const bashScript = `# Completions of petit for bash.
# To have them in every shell, with the package bash-completion:
#   mkdir -p ~/.local/share/bash-completion/completions
#   petit completions bash > ~/.local/share/bash-completion/completions/petit
# Without that package, put this line into ~/.bashrc:
#   eval "$(petit completions bash)"

_petit() {
  local program=$1 current=$2 value description entry i
  local -a words descriptions
  words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  case $program in "~/"*) program=$HOME/\${program#"~/"} ;; esac
  COMPREPLY=()
  descriptions=()
  while IFS=$'\\t' read -r value description; do
    if [ "$value" = ":file" ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("$value")
      descriptions+=("$description")
    fi
  done < <("$program" __complete \${words[@]+"\${words[@]}"} ":$current" 2>/dev/null)
  if [ "$COMP_TYPE" = 63 ] && [ "\${#descriptions[@]}" -gt 1 ]; then
    for i in "\${!descriptions[@]}"; do
      [ -n "\${descriptions[i]}" ] || continue
      printf -v entry '%-16s (%s)' "\${COMPREPLY[i]}" "\${descriptions[i]}"
      COMPREPLY[i]=\${entry:0:\${COLUMNS:-80}-1}
    done
  fi
}
complete -F _petit petit petit.exe
`;
