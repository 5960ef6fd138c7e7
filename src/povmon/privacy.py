"""Personal data: names, identity-card and telephone numbers, recognised and replaced.

What identifies a person is replaced by a keyed hash (HMAC-SHA-256) before anything else sees it.
The same text gives the same hash as long as the key is the same, so records still link. The key
is ``POVMON_HASH_KEY``, or a random one in ``data/raw/<survey>/.hash_key``, made when first needed,
readable by its owner only and never committed.

Identity numbers follow GB 11643: six digits of place, the day of birth, a serial number, and (18
digits) a check character; a number with a wrong check character is still one that a person
misspelt. Chinese names are recognised by their surname, Chinese or romanised, which errs on the
side of privacy: a word that begins like a name may be hidden too.

This module imports nothing heavy: the pipeline needs it for the names of files.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from povmon import paths
from povmon.errors import PovmonError

PREFIX = "hashed-"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ID18 = re.compile(
    r"(?<![0-9A-Za-z])[1-8]\d{5}[ -]?(?:18|19|20)\d\d[ -]?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"[ -]?\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_ID15 = re.compile(
    r"(?<![0-9A-Za-z.])[1-8]\d{5}[ -]?\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}"
    r"(?![0-9A-Za-z]|\.\d*[1-9])"
)
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z]|\.\d*[1-9])"
)
_LANDLINE = re.compile(r"(?<![0-9.])(?:\(0\d{2,3}\)[ -]?|0\d{2,3}[ -])[2-8]\d{6,7}(?![0-9])")
_PROVINCES = _words("""
    11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63
    64 65 71 81 82 83
""")
_ROUNDED = re.compile(r"([1-8])\.(\d{13,})[eE]\+?(17|14)")
_CHECK = "10X98765432"

_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程"
    "苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾"
    "毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦"
    "俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房"
    "滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应"
    "臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩佘池查麻苑迟邝"
)
_COMPOUND = ("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐")
# Words of forms, files and answers that begin like a name and are none.
_WORDS = _words("""
    孙子女 柴草
    高中 高级 文盲 文化 文件 安全 安装 金额 金属 石头 石料 石砌 石木 江河 江水 黄土 黄泥 方便
    方式 时间 成员 成人 成本 成年 单位 单元 全部 全家 全年 农业 农户 农村 农民 农田 车辆 车库
    路面 路灯 房屋 房子 房产 田地 田土 水田 边远 边境 商业 商店 商品 常年 常住 司机 连片 项目
    管理 管道 解决 应急 包括 党员 党委 卫生 卫生室 卫生院 查无 查询 简单 游客 盛产 古井 米面
    万元 万人 万亩 万户 马车 马匹 牛羊 牛只 白天 毛收入 关闭 关系 贺卡 华侨 易地 易腐 康复 温饱
    温室 平均 夏季 秋季 苗族 白族 蒙古族 满族 黎族 高山族 毛南族 毛难族 景颇族 布朗族 和田 汤池
    向导 申请 申报 许可 任务 任何 程度 程序 苏打 符合 符号 尚未 尚可 宁夏 江西 江苏 甘肃 安徽
    陕西 贵州 云南 四川 西藏 青海 新疆 湖北 湖南 河南 河北 山西 重庆 广西 吉林 县表 村表 户表
    人口表 县级 村级 户级 人口 住户 家庭 数据 上报 提交 报送 修改 更新 最终 最新 汇总 调查 问卷
    表格 样本 明细 名单 花名册 登记 备份 副本 原始 片区 贫困 监测 基线 年度 第一 第二 批次 正式
    补报 重报 说明 封面
""")
# The longest first: a word may begin like another.
_VOCABULARY = re.compile("|".join(sorted(_WORDS, key=lambda word: (-len(word), word))))
_RUN = re.compile(f"[{_CJK}]+")
_DOTTED = re.compile(f"[{_CJK}]{{1,8}}[·•・‧][{_CJK}]{{1,8}}")
_PLACE_ENDS = tuple("县市区州旗省镇乡村组社屯寨庄族表")
_LABELLED = re.compile(
    r"(?:姓名|户主|填报人|填表人|调查员|调查人|访问员|联系人|审核人|经办人|负责人|制表人|签名|签字"
    r"|(?i:\b(?:name|contact|interviewer|enumerator|prepared by|filled in by)))"
    rf"\s*[:：_]\s*([{_CJK}]{{2,4}}|[A-Za-z]+(?: [A-Za-z]+){{0,2}})"
)
_PINYIN = _words("""
    Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Gao Lin Luo Zheng
    Liang Xie Song Tang Han Feng Deng Cao Peng Zeng Xiao Tian Dong Yuan Pan Yu Jiang Cai Du
    Ye Cheng Su Wei Lü Lv Ding Ren Shen Yao Lu Cui Zhong Tan Fan Jin Shi Liao Jia Xia Fu
    Fang Bai Zou Meng Xiong Qin Qiu Yin Xue Yan Duan Lei Hou Long Tao Mo Kong Mao Hao Gong
    Shao Qian Ouyang
""")
_ROMANISED = re.compile(
    rf"\b(?:{'|'.join(sorted(_PINYIN))})[ _][A-Z][a-zü]+(?:[ _'-]?[A-Za-z][a-zü]+)?\b"
)
# Headings of columns that hold personal data.
_HEADINGS = re.compile(
    r"姓名|身份证|证件号|(?<!通)电话|手机|联系方式|联系人|住址|家庭地址|详细地址|银行卡|银行账|存折|邮箱|微信"
    r"|qq号|\bname\b|(?:head|respondent|member|person|interviewer|enumerator|contact|first|last|full"
    r"|given|family)[ _-]?name|surname|\bid[ _-]?(?:card|number|no)\b|identity|passport"
    r"|^(?:\w+[ _-])?(?:tele)?phone$|phone[ _-]?(?:no\b|num)|\bmobile[ _-]?(?:no|number)|\btel\b"
    r"|e-?mail|\baddress\b|bank[ _-]?(?:account|card)",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """The text with full-width forms made plain."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def is_identity_number(text: str) -> bool:
    """True for an identity-card number (15 or 18 characters, blanks and hyphens allowed)."""
    text = plain(text).strip()
    return bool(_ID18.fullmatch(text) or _ID15.fullmatch(text)) and text[:2] in _PROVINCES


def has_valid_check(number: str) -> bool:
    """True when the check character of an 18-digit number is right (ISO 7064, MOD 11-2)."""
    digits = re.sub(r"[ -]", "", number).upper()
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(digits[:17]))
    return len(digits) == 18 and _CHECK[total % 11] == digits[17]


def is_name(text: str, known: Collection[str] = ()) -> bool:
    """True for a text that is a person's name and nothing else."""
    text = plain(text).strip()
    if _DOTTED.fullmatch(text) or _ROMANISED.fullmatch(text):
        return True
    return _is_chinese_name(text, known) if _RUN.fullmatch(text) else False


def _is_chinese_name(run: str, known: Collection[str]) -> bool:
    if run in known or run.endswith(_PLACE_ENDS) or _VOCABULARY.fullmatch(run):
        return False
    if run.startswith(_COMPOUND):
        return 3 <= len(run) <= 4
    return 2 <= len(run) <= 3 and run[0] in _SURNAMES


def personal_spans(
    text: str, known: Collection[str] = (), names: bool = True
) -> list[tuple[int, int]]:
    """Where a text (as `plain` gives it) names a person: (begin, end) of each part, in order.

    Parameters
    ----------
    text : any text; a number in exponent notation counts when it holds a whole identity number.
    known : words that look like names and are none, such as names of counties.
    names : False looks for numbers only.
    """
    spans = []
    for pattern in (_ID18, _ID15):
        spans += [m.span() for m in pattern.finditer(text) if m.group()[:2] in _PROVINCES]
    for pattern in (_MOBILE, _LANDLINE):
        spans += [m.span() for m in pattern.finditer(text)]
    spans += [m.span() for m in _ROUNDED.finditer(text) if _is_rounded_identity(m)]
    return _joined(spans + (_name_spans(text, known) if names else []))


def _name_spans(text: str, known: Collection[str]) -> list[tuple[int, int]]:
    spans = [m.span() for p in (_DOTTED, _ROMANISED) for m in p.finditer(text)]
    spans += [m.span(1) for m in _LABELLED.finditer(text)]
    if not text.isascii():
        rest = _VOCABULARY.sub(lambda m: " " * len(m.group()), text)
        spans += [m.span() for m in _RUN.finditer(rest) if _is_chinese_name(m.group(), known)]
    return spans


def _is_rounded_identity(match: re.Match[str]) -> bool:
    digits = (match.group(1) + match.group(2)).ljust(int(match.group(3)) + 1, "0")
    return is_identity_number(digits[: int(match.group(3)) + 1])


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def is_personal(text: str, known: Collection[str] = ()) -> bool:
    """True when a text names a person or holds an identity or telephone number."""
    return bool(personal_spans(plain(text), known))


def is_personal_heading(heading: str) -> bool:
    """True for the heading of a column of names, identity or telephone numbers or addresses."""
    return _HEADINGS.search(plain(heading)) is not None


def scrub(text: str, survey: str, known: Collection[str] = (), names: bool = True) -> str:
    """A text with each personal part replaced by its hash; other texts as they are."""
    normal = plain(text)
    spans = personal_spans(normal, known, names)
    if not spans:
        return text
    parts, at = [], 0
    for begin, end in spans:
        parts += [normal[at:begin], hashed(normal[begin:end], survey)]
        at = end
    return "".join([*parts, normal[at:]])


def scrub_path(path: str, survey: str, known: Collection[str] = ()) -> str:
    """`scrub` for each part of a path."""
    if path.isascii() and not re.search(r"\d{7}|\d{4}[ -]\d{4}|[A-Z][a-z]+[ _][A-Z]", path):
        return path
    stems = [part.rpartition(".") for part in path.split("/")]
    return "/".join(
        f"{scrub(stem, survey, known)}.{ending}" if stem else scrub(ending, survey, known)
        for stem, _, ending in stems
    )


def hashed(text: str, survey: str) -> str:
    """The keyed hash that stands for a personal text (blanks, hyphens and case do not count).

    Raises
    ------
    PovmonError : there is no key, and none can be written.
    """
    normal = re.sub(r"[\s-]", "", plain(text)).upper()
    digest = hmac.new(_key(survey), normal.encode("utf-8"), hashlib.sha256)
    return f"{PREFIX}{digest.hexdigest()[:16]}"


def key_mark(survey: str) -> str:
    """What tells one key from another without giving it away; empty while there is no key."""
    path = paths.raw(survey) / ".hash_key"
    return hashed("", survey) if os.environ.get("POVMON_HASH_KEY") or path.exists() else ""


def _key(survey: str) -> bytes:
    given = os.environ.get("POVMON_HASH_KEY")
    if given:
        return given.encode("utf-8")
    path = paths.raw(survey) / ".hash_key"
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise _no_key(path, f"cannot be read or written ({error.strerror})") from error
    if len(key) < 32:
        raise _no_key(path, "is damaged")
    return key


def _write_key(path: Path) -> None:
    """Put a new key in place whole, or leave the one that another process put there first."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".hash_key.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_hex(32).encode("ascii"))
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def _no_key(path: Path, state: str) -> PovmonError:
    return PovmonError(
        "the submissions hold personal data, and the key to hash them with " + state,
        where=f"data/raw/{path.parent.name}/{path.name}",
        todo="make the folder writable, or set POVMON_HASH_KEY",
    )
