_kdj_complete() {
    # For bash a word ends at `:`, `=` and `@`, for kdj it does not: the words up to the cursor are put together again.
    local rest=${COMP_LINE:0:COMP_POINT} blank piece
    local -a words=()
    for piece in "${COMP_WORDS[@]}"; do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        [[ $rest == "$piece"* ]] || piece=$rest
        rest=${rest:${#piece}}
        if [[ -n $blank || ${#words[@]} -eq 0 ]]; then
            words+=("$piece")
        else
            words[${#words[@]} - 1]+=$piece
        fi
        [[ -n $rest ]] || break
    done
    # What bash replaces is `$2`; what stands in front of it stays.
    local index=$((${#words[@]} - 1)) candidate
    local stays=${words[index]%"$2"}
    COMPREPLY=()
    while IFS= read -r candidate || [[ -n $candidate ]]; do
        candidate=${candidate#"$stays"}
        # The name of a file may have anything in it.
        if [[ $candidate == *[!A-Za-z0-9_./:@%+,=~-]* ]]; then
            printf -v candidate %q "$candidate"
        fi
        COMPREPLY+=("$candidate")
    done < <(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$index COMPLETE=bash kdj -- "${words[@]}" 2> /dev/null)
    if compopt +o nospace 2> /dev/null && [[ ${COMPREPLY-} == *[=/:] ]]; then
        compopt -o nospace
    fi
}
if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _kdj_complete kdj
else
    complete -o nospace -o bashdefault -F _kdj_complete kdj
fi
