// `perdure completion`: scripts for shells, made from the table of commands.
import { type Command, defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';

export function createCompletion(others: readonly Command[]): Command {
  const completion: Command = defineCommand({
    name: 'completion',
    args: '<shell>',
    summary: 'Print a completion script for bash, zsh or fish',
    examples: [
      'source <(perdure completion bash)',
      'perdure completion fish > ~/.config/fish/completions/perdure.fish',
    ],
    async action({ args: [shell = ''], out }) {
      const commands = [...others, completion];
      if (shell === 'bash') return out.line(bash(commands));
      if (shell === 'zsh') {
        return out.line(`#compdef perdure\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`);
      }
      if (shell === 'fish') return out.line(fish(commands));
      throw new UsageError(`"${shell}" is not one of bash, zsh, fish`);
    },
  });
  return completion;
}

function bash(commands: Command[]): string {
  const groups = groupsOf(commands).map(([group, verbs]) => `    "${group}") words="${verbs.join(' ')}" ;;`);
  const flags = commands.map(({ name, options }) => `    "${name}") words="$words ${flagsOf(options).join(' ')}" ;;`);
  return `_perdure() {
  local words="" one="\${COMP_WORDS[1]}" two="\${COMP_WORDS[1]} \${COMP_WORDS[2]}"
  if [ "$COMP_CWORD" -eq 1 ]; then words="${firstWords(commands).join(' ')}"; fi
  if [ "$COMP_CWORD" -eq 2 ]; then case "$one" in
${groups.join('\n')}
  esac; fi
  for path in "$one" "$two"; do case "$path" in
${flags.join('\n')}
  esac; done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _perdure perdure`;
}

function fish(commands: Command[]): string {
  const first = firstWords(commands).map((word) => {
    const about = commands.find(({ name }) => name === word)?.summary ?? `${word} commands`;
    return `complete -c perdure -n __fish_use_subcommand -f -a ${word} -d ${quote(about)}`;
  });
  const rest = commands.flatMap(({ name, summary, options }) => {
    const [group = '', verb] = name.split(' ');
    const seen = `__fish_seen_subcommand_from ${group}`;
    const both = verb === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${verb}`;
    const flags = Object.entries(options).map(([flag, { short, type, about }]) => {
      const letter = short === undefined ? '' : ` -s ${short}`;
      return `complete -c perdure -n '${both}' -l ${flag}${letter}${type === 'string' ? ' -r' : ''} -d ${quote(about)}`;
    });
    return verb === undefined
      ? flags
      : [`complete -c perdure -n '${seen}' -f -a ${verb} -d ${quote(summary)}`, ...flags];
  });
  return [...first, ...rest].join('\n');
}

function firstWords(commands: Command[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name)), 'help'];
}

function groupsOf(commands: Command[]): [group: string, verbs: string[]][] {
  const groups = new Map<string, string[]>();
  for (const { name } of commands) {
    const [group = '', verb] = name.split(' ');
    if (verb !== undefined) groups.set(group, [...(groups.get(group) ?? []), verb]);
  }
  return [...groups];
}

function flagsOf(options: Command['options']): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
