/** For zsh from 5.0 on. What was typed is unquoted (Q) and handed over, never evaluated. A colon in a value is escaped, since _describe parts at it. */
export const zshScript = `#compdef petit petit.exe
# Completions of petit for zsh.
# To have them in every shell, write this file into a folder of $fpath and start a new shell:
#   petit completions zsh > "\${fpath[1]}/_petit"
# Or put this line into ~/.zshrc:
#   eval "$(petit completions zsh)"

_petit() {
  local program=\${(Q)words[1]} line value files=0
  local -a candidates
  program=\${program/#\\~\\//$HOME/}
  for line in "\${(@f)$("$program" __complete "\${(@Q)words[2,CURRENT-1]}" ":\${(Q)PREFIX}" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*}
    if [[ $value == :file ]]; then
      files=1
    elif [[ -n $value ]]; then
      candidates+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( \${#candidates} )) && _describe -t petit petit candidates
  if (( files )); then
    compset -P '--*='
    _files
  fi
}

if [[ $funcstack[1] == _petit ]]; then
  _petit "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _petit petit petit.exe
fi
`;
