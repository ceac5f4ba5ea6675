/**
 * For Windows PowerShell 5.1 and PowerShell 7. Only words that end before the cursor are handed over, as arguments; nothing is evaluated. Where petit
 * answers nothing, PowerShell offers file names.
 */
export const powershellScript = `# Completions of petit for PowerShell.
# To have them in every shell, add this line to your profile (notepad $PROFILE):
#   petit completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'petit', 'petit.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $texts = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    $words = @($texts | Select-Object -Skip 1)
    & $commandAst.GetCommandName() __complete @words ":$wordToComplete" 2>$null | ForEach-Object {
        $value, $description = $_ -split "\`t", 2
        if ($value -ne ':file') {
            if (-not $description) { $description = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
        }
    }
}
`;
