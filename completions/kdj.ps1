Register-ArgumentCompleter -Native -CommandName kdj -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words up to the cursor go to kdj as they stand there: nothing of the line is evaluated.
    $words = @(foreach ($element in $commandAst.CommandElements) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) {
            break
        }
        if ($extent.EndOffset -ge $cursorPosition) {
            $extent.Text.Substring(0, $cursorPosition - $extent.StartOffset)
        } elseif ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $element.Value
        } else {
            $extent.Text
        }
    })
    # An empty word gets lost on its way to a program in older PowerShells: kdj is told which one it is.
    $index = $words.Count - 1
    if ($wordToComplete -eq '') {
        $index = $words.Count
    }

    $before = $env:COMPLETE, $env:_CLAP_COMPLETE_INDEX
    try {
        $env:COMPLETE = 'powershell'
        $env:_CLAP_COMPLETE_INDEX = $index
        $candidates = & 'kdj' '--' $words 2> $null
    } finally {
        $env:COMPLETE, $env:_CLAP_COMPLETE_INDEX = $before
    }
    foreach ($candidate in $candidates) {
        $value, $about = $candidate -split "`t", 2
        if (-not $about) {
            $about = $value
        }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
